const OF_GROUP = 'g=meta.k8s.io;v=v1'

/** `Accept` for one object's metadata, and for the objects of a watch (meta/v1 PartialObjectMetadata). */
export const METADATA_ONLY = `application/json;as=PartialObjectMetadata;${OF_GROUP}`

/** `Accept` for a list of metadata (meta/v1 PartialObjectMetadataList). */
export const METADATA_LIST_ONLY = `application/json;as=PartialObjectMetadataList;${OF_GROUP}`
