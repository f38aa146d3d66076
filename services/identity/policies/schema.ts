// Rows of policies and of what they are associated with. An empty id stands for none.
export interface PolicyRow { id: string, type: string, blob: string, extra: string }
export interface PolicyAssociationRow { endpointId: string, serviceId: string, regionId: string, policyId: string }
export interface EndpointGroupRow { id: string, name: string, description: string | null, /** JSON: `interface service_id region_id enabled`. */ filters: string }
export interface PolicyTables {
  identityPolicies: PolicyRow
  identityPolicyAssociations: PolicyAssociationRow
  identityEndpointGroups: EndpointGroupRow
  identityProjectEndpoints: { projectId: string, endpointId: string }
  identityProjectEndpointGroups: { projectId: string, endpointGroupId: string }
}
