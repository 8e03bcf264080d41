/**
 * `@peculiar/x509` registers its classes with a container that refuses to load without the decorator-metadata functions
 * of `Reflect`. None of the classes used here takes constructor parameters, so functions that know nothing are enough.
 */
for (const name of ['getMetadata', 'getOwnMetadata', 'defineMetadata']) {
  if (!(name in Reflect)) Object.defineProperty(Reflect, name, { value: () => undefined, configurable: true })
}
