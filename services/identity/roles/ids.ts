/** A column's JSON list of role ids. */
export const idsOf = (json: string): string[] => JSON.parse(json) as string[]
