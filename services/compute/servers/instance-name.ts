/** `instance-0000002a`, as nova names guests on their hosts. */
export const instanceName = (row: { number: number }): string => `instance-${row.number.toString(16).padStart(8, '0')}`
