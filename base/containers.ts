// Containers in which a disk stands at the beginning, so that it can be looked into.

const open: readonly unknown[] = ['bare', 'ami', 'ari', 'aki']

/**
 * Whether the image service looks at the disk in a container of this format, and so a hypervisor may open it. What nobody looked into is opened nowhere: it may name
 * any file of the host as its own. One list for who looks, who takes the request and who opens.
 */
export const isLookedInto = (containerFormat: string | null | undefined): boolean => open.includes(containerFormat)
