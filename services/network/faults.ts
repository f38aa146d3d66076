// Neutron's exceptions by their names: clients tell them apart by `type` in the NeutronError envelope.
import { badRequest, conflict, Fault, forbidden, notFound, overQuota, preconditionFailed } from '#base/errors.ts'

const type = (name: string): { type: string } => ({ type: name })

export const networkNotFound = (id: string): Fault => notFound(`Network ${id} could not be found.`, type('NetworkNotFound'))
export const subnetNotFound = (id: string): Fault => notFound(`Subnet ${id} could not be found.`, type('SubnetNotFound'))
export const portNotFound = (id: string): Fault => notFound(`Port ${id} could not be found.`, type('PortNotFound'))
export const routerNotFound = (id: string): Fault => notFound(`Router ${id} could not be found`, type('RouterNotFound'))
export const floatingIpNotFound = (id: string): Fault => notFound(`Floating IP ${id} could not be found`, type('FloatingIPNotFound'))
export const groupNotFound = (id: string): Fault => notFound(`Security group ${id} does not exist`, type('SecurityGroupNotFound'))
export const ruleNotFound = (id: string): Fault => notFound(`Security group rule ${id} does not exist`, type('SecurityGroupRuleNotFound'))
export const agentNotFound = (id: string): Fault => notFound(`Agent ${id} could not be found.`, type('AgentNotFound'))
export const extensionNotFound = (alias: string): Fault => notFound(`Extension with alias ${alias} does not exist`, type('ExtensionNotFound'))
export const tagNotFound = (tag: string): Fault => notFound(`Tag ${tag} could not be found.`, type('TagNotFound'))

export const notAuthorized = (rule: string): Fault => forbidden(`${rule} is disallowed by policy`, type('PolicyNotAuthorized'))
export const quotaExceeded = (resources: string[]): Fault => overQuota(`Quota exceeded for resources: [${resources.map((r) => `'${r}'`).join(', ')}].`, type('OverQuota'))
export const invalidInput = (reason: string): Fault => badRequest(`Invalid input for operation: ${reason}.`, type('InvalidInput'))
export const malformed = (message: string): Fault => badRequest(message, type('HTTPBadRequest'))
/** neutron's BadRequest of a resource: "Bad router request: …". */
export const badResource = (resource: string, reason: string): Fault => badRequest(`Bad ${resource} request: ${reason}.`, type('BadRequest'))
export const revisionChanged = (asked: number, current: number): Fault => preconditionFailed(`Constrained to ${asked}, but current revision is ${current}`, type('RevisionNumberConstraintFailed'))

export const networkInUse = (id: string): Fault =>
  conflict(`Unable to complete operation on network ${id}. There are one or more ports still in use on the network.`, type('NetworkInUse'))
export const invalidSharedSetting = (name: string): Fault =>
  conflict(`Unable to reconfigure sharing settings for network ${name}. Multiple tenants are using it.`, type('InvalidSharedSetting'))
export const mtuTooSmall = (id: string, least: number): Fault => conflict(`Network ${id} has, or would have, a subnet that needs an MTU of ${least} at least.`, type('NetworkMTUSubnetConflict'))
export const externalNetworkInUse = (id: string): Fault =>
  conflict(`External network ${id} cannot be updated to be made non-external, since it has existing gateway ports.`, type('ExternalNetworkInUse'))
export const flatNetworkInUse = (physical: string): Fault => conflict(`Unable to create the flat network. Physical network ${physical} is in use.`, type('FlatNetworkInUse'))
export const segmentInUse = (id: number): Fault => conflict(`Unable to create the network. The tunnel ID ${id} is in use.`, type('TunnelIdInUse'))

export const subnetInUse = (id: string, reason = 'One or more ports have an IP allocation from this subnet'): Fault =>
  conflict(`Unable to complete operation on subnet ${id}: ${reason}.`, type('SubnetInUse'))
export const invalidPool = (pool: string): Fault => badRequest(`The allocation pool ${pool} is not valid.`, type('InvalidAllocationPool'))
export const poolOutside = (pool: string, cidr: string): Fault => badRequest(`The allocation pool ${pool} spans beyond the subnet cidr ${cidr}.`, type('OutOfBoundsAllocationPool'))
export const poolsOverlap = (a: string, b: string, cidr: string): Fault => conflict(`Found overlapping allocation pools: ${a} ${b} for subnet ${cidr}.`, type('OverlappingAllocationPools'))
export const gatewayInPool = (ip: string, pool: string): Fault => conflict(`Gateway ip ${ip} conflicts with allocation pool ${pool}.`, type('GatewayConflictWithAllocationPools'))
export const gatewayInUse = (ip: string, portId: string): Fault => conflict(`Current gateway ip ${ip} already in use by port ${portId}. Unable to update.`, type('GatewayIpInUse'))

export const noAddressLeft = (networkId: string): Fault => conflict(`No more IP addresses available on network ${networkId}.`, type('IpAddressGenerationFailure'))
export const addressInUse = (networkId: string, ip: string): Fault => conflict(`Unable to complete operation for network ${networkId}. The IP address ${ip} is in use.`, type('IpAddressInUse'))
export const addressNotOfSubnet = (ip: string): Fault => badRequest(`IP address ${ip} is not a valid IP for the specified subnet.`, type('InvalidIpForSubnet'))
export const addressNotOfNetwork = (ip: string): Fault => badRequest(`IP address ${ip} is not a valid IP for any of the subnets on the specified network.`, type('InvalidIpForNetwork'))
export const macInUse = (networkId: string, mac: string): Fault => conflict(`Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`, type('MacAddressInUse'))

export const portInUse = (portId: string, networkId: string, deviceId: string): Fault =>
  conflict(`Unable to complete operation on port ${portId} for network ${networkId}. Port already has an attached device ${deviceId}.`, type('PortInUse'))
export const deviceNotOwned = (deviceId: string): Fault =>
  conflict(`The following device_id ${deviceId} is not owned by your tenant or matches another tenants router.`, type('DeviceIDNotOwnedByTenant'))
export const servicePortInUse = (portId: string, owner: string): Fault =>
  conflict(`Port ${portId} cannot be deleted directly via the port API: has device owner ${owner}.`, type('ServicePortInUse'))
export const portBound = (portId: string, oldMac: string, newMac: string): Fault =>
  conflict(`Unable to complete operation on port ${portId}, port is already bound, port type: tap, old_mac ${oldMac}, new_mac ${newMac}.`, type('PortBound'))
export const portHasGroups = (): Fault =>
  conflict('Port has security group associated. Cannot disable port security or IP address until security group is removed.', type('PortSecurityPortHasSecurityGroup'))
export const groupsNeedSecurity = (): Fault =>
  badRequest('Port security must be enabled and port must have an IP address in order to use security groups.', type('PortSecurityAndIPRequiredForSecurityGroups'))
export const pairsNeedSecurity = (): Fault => conflict('Port Security must be enabled in order to have allowed address pairs on a port.', type('AddressPairAndPortSecurityRequired'))
export const duplicatePair = (ip: string, mac: string): Fault =>
  badRequest(`Request contains duplicate address pair: mac_address ${mac} ip_address ${ip}.`, type('DuplicateAddressPairInRequest'))

export const routerInUse = (id: string): Fault => conflict(`Router ${id} still has ports`, type('RouterInUse'))
export const noInterfaceForSubnet = (routerId: string, subnetId: string): Fault => notFound(`Router ${routerId} has no interface on subnet ${subnetId}`, type('RouterInterfaceNotFoundForSubnet'))
export const noInterface = (routerId: string, portId: string): Fault => notFound(`Router ${routerId} does not have an interface with id ${portId}`, type('RouterInterfaceNotFound'))
export const interfaceHasFloatingIps = (routerId: string, subnetId: string): Fault =>
  conflict(`Router interface for subnet ${subnetId} on router ${routerId} cannot be deleted, as it is required by one or more floating IPs.`, type('RouterInterfaceInUseByFloatingIP'))
export const interfaceHasRoutes = (routerId: string, subnetId: string): Fault =>
  conflict(`Router interface for subnet ${subnetId} on router ${routerId} cannot be deleted, as it is required by one or more routes.`, type('RouterInterfaceInUseByRoute'))
export const gatewayHasFloatingIps = (routerId: string, networkId: string): Fault =>
  conflict(`Gateway cannot be updated for router ${routerId}, since a gateway to external network ${networkId} is required by one or more floating IPs.`, type('RouterExternalGatewayInUseByFloatingIp'))
export const portNotOnSubnet = (portId: string, subnetId: string): Fault => badRequest(`Subnet ID ${subnetId} does not match the one of port ${portId}.`, type('SubnetMismatchForPort'))
export const invalidRoutes = (routes: string, reason: string): Fault => badRequest(`Invalid format for routes: ${routes}, ${reason}`, type('InvalidRoutes'))

export const notReachable = (networkId: string, subnetId: string, portId: string): Fault =>
  notFound(`External network ${networkId} is not reachable from subnet ${subnetId}.  Therefore, cannot associate Port ${portId} with a Floating IP.`, type('ExternalGatewayForFloatingIPNotFound'))
export const portHasFloatingIp = (address: string, id: string, portId: string, fixedIp: string, networkId: string): Fault =>
  conflict(`Cannot associate floating IP ${address} (${id}) with port ${portId} using fixed IP ${fixedIp}, as that fixed IP already has a floating IP on external network ${networkId}.`,
    type('FloatingIPPortAlreadyAssociated'))

export const groupInUse = (id: string): Fault => conflict(`Security Group ${id} in use.`, type('SecurityGroupInUse'))
export const defaultGroupStays = (): Fault => conflict('Insufficient rights for removing default security group.', type('SecurityGroupCannotRemoveDefault'))
export const defaultGroupKeepsName = (): Fault => conflict('Updating default security group not allowed.', type('SecurityGroupCannotUpdateDefault'))
export const defaultGroupStands = (): Fault => conflict('Default security group already exists.', type('SecurityGroupDefaultAlreadyExists'))
export const ruleExists = (id: string): Fault => conflict(`Security group rule already exists. Rule id is ${id}.`, type('SecurityGroupRuleExists'))
export const badRule = (name: string, message: string): Fault => badRequest(message, type(name))
export const notExternal = (id: string): Fault => badRequest(`Bad floatingip request: Network ${id} is not a valid external network.`, type('BadRequest'))
export const externalExhausted = (id: string): Fault => badRequest(`Unable to find any IP address on external network ${id}.`, type('ExternalIpAddressExhausted'))
