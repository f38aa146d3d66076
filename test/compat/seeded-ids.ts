// Ids of what every test cloud is born with: clients may be told of them beforehand.
import type { CloudClient } from '../client.ts'

/** By name: the image, the external and the tenant network. */
export async function seededIds(cloud: CloudClient): Promise<Record<string, string>> {
  const { body } = await cloud.http(await cloud.login(), 'GET', '/network/v2.0/networks?name=public')
  return { image: cloud.imageId, private: cloud.networkId, public: body.networks[0].id as string }
}
