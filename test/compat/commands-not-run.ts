/** Commands of the client for identity and image that no test runs, and why. */
export const notRun: Record<string, string> = {}
