/** Commands of the client for identity and image that no test runs, and why. */
export const notRun: Record<string, string> = {
  'federation domain list': 'asks the unscoped token of a federated user; the operation is tried in services/identity/federation',
  'federation project list': 'asks the unscoped token of a federated user; the operation is tried in services/identity/federation',
}
