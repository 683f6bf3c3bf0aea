/** What plugins and their versions consist of as events and documents hold it. Absent is null; lists and maps are empty. */
import { z } from 'zod';

/** The fields that say what a plugin is. `author` is sealed with its owner's key. */
export const metadataData = {
  name: z.string(),
  description: z.string().nullable(),
  category: z.string().nullable(),
  publisher: z.string().nullable(),
  iconUrl: z.string().nullable(),
  documentationUrl: z.string().nullable(),
  repositoryUrl: z.string().nullable(),
  tags: z.array(z.string()),
  packageName: z.string(),
  author: z.string().nullable(),
  license: z.string().nullable(),
  longDescription: z.string().nullable(),
  screenshots: z.array(z.string()),
  compatibility: z.record(z.string(), z.string()),
  requirements: z.record(z.string(), z.string()),
  permissions: z.array(z.string()),
  price: z
    .object({
      model: z.string(),
      amount: z.number(),
      currency: z.string(),
      period: z.string().optional(),
      trial: z.object({ available: z.boolean(), duration: z.number().optional() }).optional(),
    })
    .nullable(),
};

const { packageName: _forGood, ...editableData } = metadataData;

/** New values of the fields that can be edited; an absent one stays. A package name is for good: others depend on it. */
export const metadataChanges = z.object(editableData).partial();
export type MetadataChanges = z.output<typeof metadataChanges>;

/** What has been read from JSON has no member that is undefined, which the type of a spread would not know. */
export function withChanges<M extends object>(metadata: M, changes: MetadataChanges): M & MetadataChanges {
  return Object.assign({}, metadata, changes);
}

/** JSON in which the order of keys makes no difference. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export const runtimeData = z.object({ type: z.string(), version: z.string().nullable() });

/** Of one instance: what it reserves, and what it may use. */
export const resourcesData = z.object({
  minCpu: z.number().nullable(),
  maxCpu: z.number().nullable(),
  minMemoryMB: z.number().nullable(),
  maxMemoryMB: z.number().nullable(),
});

export const dependencyData = z.object({
  dependencyId: z.string(),
  type: z.string(),
  versionConstraint: z.string(),
  required: z.boolean(),
});

export const capabilityData = z.object({
  capabilityId: z.string(),
  name: z.string(),
  version: z.string(),
  methods: z.array(
    z.object({
      name: z.string(),
      returnType: z.string().nullable(),
      parameters: z.array(z.object({ name: z.string(), type: z.string(), required: z.boolean() })),
    }),
  ),
});
