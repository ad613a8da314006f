// Names in addresses: `Customer Service` is found under /p/customer-service.

/** Lower case, a-z and 0-9 joined by hyphens, at most 40; `project` where nothing is left. */
export function slugOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
  return (
    plain
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40)
      .replace(/-+$/, '') || 'project'
  )
}
