/** What a publisher says of a plugin and of a version: its shape, and the rules that hold whatever is stored already. */
import { z } from 'zod';
import { PluginId } from './ids.ts';
import { SemanticVersion } from './version.ts';

const text = (most: number) => z.string().trim().min(1).max(most);
const longText = (most: number) => z.string().max(most);
const word = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9 ._/+#-]{0,59}$/,
    'Must start with a letter and have at most 60 letters, numbers, blanks or ._/+#-',
  );

/** A page for people: nothing but http and https, so that no client can be made to run it. */
const webUrl = z
  .string()
  .max(2_000)
  .refine((url) => /^https?:\/\//i.test(url) && URL.canParse(url), 'Must be an http or https URL');

/** Wherever the publisher keeps the bytes (`s3://…`): stored, not fetched (decisions 21). */
const anyUrl = z
  .string()
  .max(2_000)
  .refine((url) => /^[a-z][a-z0-9+.-]*:/i.test(url) && URL.canParse(url), 'Must be a URL');

const listOf = <T extends z.ZodType>(item: T, most: number) => z.array(item).max(most);

/** Refuses the second of two items with the same key. @param field of the item, to name it by */
function noneTwice<T>(key: (item: T) => string, field: string) {
  return (items: readonly T[], context: z.RefinementCtx): void => {
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      if (seen.has(key(item)))
        context.addIssue({ code: 'custom', message: 'Is listed twice', path: [index, field] });
      seen.add(key(item));
    }
  };
}

/** npm's rule for names; a name without a scope must be the slug, which keeps both unique without a second claim. */
export const PackageName = z
  .string()
  .max(214)
  .regex(
    /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/,
    'PackageName must be an npm package name such as @scope/plugin-name',
  );

export const Author = z.strictObject({ name: text(200), email: z.email().max(254).optional() });
export type Author = z.output<typeof Author>;

const amount = z.number().nonnegative();

/** How a plugin is sold, as the marketplace shows it. */
const Price = z.strictObject({
  model: z.enum(['free', 'one-time', 'subscription']),
  amount: amount.max(1_000_000_000).default(0),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'Must be a currency code such as USD')
    .default('USD'),
  period: word.optional(),
  trial: z
    .strictObject({ available: z.boolean(), duration: z.int().nonnegative().max(3_650).optional() })
    .optional(),
});

/** Short texts by name: `{"backstage": ">=1.20.0"}`, `{"cpu": "500m"}`. */
const namedTexts = z
  .record(z.string().min(1).max(100), z.string().max(256))
  .refine((texts) => Object.keys(texts).length <= 50, 'Must have at most 50 entries');

/** Everything that is said of the plugin rather than of one version; an absent field says nothing. */
export const PluginMetadata = z.strictObject({
  name: text(200),
  description: longText(2_000).optional(),
  category: word.optional(),
  publisher: text(200).optional(),
  iconUrl: webUrl.optional(),
  documentationUrl: webUrl.optional(),
  repositoryUrl: webUrl.optional(),
  tags: listOf(text(50), 50)
    .transform((tags) => [...new Set(tags)])
    .optional(),
  packageName: PackageName.optional(),
  author: Author.optional(),
  license: text(100).optional(),
  longDescription: longText(50_000).optional(),
  screenshots: listOf(webUrl, 20).optional(),
  compatibility: namedTexts.optional(),
  requirements: namedTexts.optional(),
  permissions: listOf(text(100), 100).optional(),
  price: Price.optional(),
});
export type PluginMetadata = z.output<typeof PluginMetadata>;

const said = PluginMetadata.shape;

/** Changes to what is said of a plugin: an absent field stays, null says nothing any more. The package name is for good. */
export const MetadataEdit = z.strictObject({
  name: said.name.optional(),
  description: said.description.nullable(),
  category: said.category.nullable(),
  publisher: said.publisher.nullable(),
  iconUrl: said.iconUrl.nullable(),
  documentationUrl: said.documentationUrl.nullable(),
  repositoryUrl: said.repositoryUrl.nullable(),
  tags: said.tags.nullable(),
  author: said.author.nullable(),
  license: said.license.nullable(),
  longDescription: said.longDescription.nullable(),
  screenshots: said.screenshots.nullable(),
  compatibility: said.compatibility.nullable(),
  requirements: said.requirements.nullable(),
  permissions: said.permissions.nullable(),
  price: said.price.nullable(),
});
export type MetadataEdit = z.output<typeof MetadataEdit>;

const cpu = z.number().positive().max(10_000);
const memoryMB = z.int().positive().max(10_000_000);

/** What an instance reserves at least and may use at most. */
const Resources = z
  .strictObject({
    minCpu: cpu.optional(),
    maxCpu: cpu.optional(),
    minMemoryMB: memoryMB.optional(),
    maxMemoryMB: memoryMB.optional(),
  })
  .superRefine(({ minCpu, maxCpu, minMemoryMB, maxMemoryMB }, context) => {
    const least = (field: string, min: number | undefined, max: number | undefined): void => {
      if (min === undefined || max === undefined || min <= max) return;
      context.addIssue({ code: 'custom', path: [field], message: 'Must not be more than the maximum' });
    };
    least('minCpu', minCpu, maxCpu);
    least('minMemoryMB', minMemoryMB, maxMemoryMB);
  });

const NewDependency = z
  .strictObject({
    dependencyId: text(214),
    type: word.default('Plugin'),
    versionConstraint: z.string().max(256).default('*'),
    required: z.boolean().default(true),
  })
  .superRefine(({ type, dependencyId }, context) => {
    if (type !== 'Plugin') return;
    for (const { message } of PluginId.safeParse(dependencyId).error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: ['dependencyId'], message });
    }
  });

const Method = z.strictObject({
  name: text(200),
  returnType: text(200).optional(),
  parameters: listOf(
    z.strictObject({ name: text(200), type: text(200), required: z.boolean().default(true) }),
    50,
  ).default([]),
});

export const NewCapability = z.strictObject({
  capabilityId: text(200),
  name: text(200),
  version: text(50).default('1.0'),
  methods: listOf(Method, 100).default([]),
});

export const NewCapabilities = listOf(NewCapability, 100).superRefine(
  noneTwice(({ capabilityId, version }) => JSON.stringify([capabilityId, version]), 'capabilityId'),
);

const deepest = 32;

/** A JSON Schema: an object or a boolean, at most 64 KiB as JSON and 32 levels deep. The depth comes first: what follows recurses. */
export const ConfigurationSchema = z
  .unknown()
  .refine((schema) => !isDeeper(schema, deepest), `Must not be nested deeper than ${deepest} levels`)
  .pipe(
    z.union([z.boolean(), z.record(z.string(), z.json())], 'Must be a JSON Schema: an object, true or false'),
  )
  .refine((schema) => JSON.stringify(schema).length <= 65_536, 'Must not be longer than 64 KiB');

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** A version as it is published. Without a state it is a Beta: nobody has vouched for it yet. */
export const NewVersion = z.strictObject({
  semanticVersion: SemanticVersion,
  state: z.enum(['Beta', 'Stable'], 'A new version starts as Beta or Stable').default('Beta'),
  runtime: z.strictObject({ type: word, version: text(50).optional() }),
  resources: Resources.optional(),
  binaryUrl: anyUrl.optional(),
  checksum: z
    .string()
    .max(200)
    .regex(/^[a-z0-9]+:\S+$/i, 'Must name its algorithm, as in sha256:abc123')
    .optional(),
  configurationSchema: ConfigurationSchema.optional(),
  dependencies: listOf(NewDependency, 100)
    .superRefine(noneTwice(({ type, dependencyId }) => JSON.stringify([type, dependencyId]), 'dependencyId'))
    .default([]),
  releaseNotes: longText(20_000).optional(),
});

/** A plugin with its first version, or another version of a plugin. The capabilities are those of the version. */
export const Registration = PluginMetadata.extend({
  pluginId: PluginId,
  version: NewVersion,
  capabilities: NewCapabilities.default([]),
});
export type Registration = z.output<typeof Registration>;
