/** The ECS task's address could not be read; without it nobody could reach this container. */
export class OwnerUrlError extends Error {
  override readonly name = 'OwnerUrlError'
}

interface TaskMetadata {
  readonly Networks?: readonly { readonly IPv4Addresses?: readonly string[] }[]
}

/**
 * The address under which others reach this container.
 *
 * @param given the setting, if there is one
 * @param metadataUrl ECS task metadata v4, if this is an ECS task (awsvpc: the container has the task's address)
 * @param fallback where it listens
 */
export async function findOwnerUrl(given: string | undefined, metadataUrl: string | undefined, fallback: URL): Promise<string> {
  if (given !== undefined) return given
  if (metadataUrl === undefined) return fallback.origin
  const answer = await fetch(metadataUrl, { signal: AbortSignal.timeout(5_000) })
  const { Networks = [] } = await answer.json() as TaskMetadata
  const address = Networks.flatMap(network => network.IPv4Addresses ?? [])[0]
  if (address === undefined) throw new OwnerUrlError('the ECS metadata names no IPv4 address; set OWNER_URL')
  return `http://${address}:${fallback.port}`
}
