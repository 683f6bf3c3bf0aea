/** Who asks, as an authenticated request knows it. */
export interface Principal {
  /** `usr_…` */
  readonly userId: string;
  readonly tenant: string;
  /** As the Plugin Manager spells it: `PlatformAdmin`, `PluginDeveloper`, `TenantAdmin`, `Viewer`. */
  readonly role: string;
  /** `plugins:write`, …: routes ask for these, never for a role. */
  readonly permissions: ReadonlySet<string>;
  /** Null: a program asks, with an API key. */
  readonly sessionId: string | null;
  /** Of an agent's key: the place that it is good for, and who it is. Null: the principal acts wherever its tenant does. */
  readonly scope: { readonly keyId: string; readonly tenant: string; readonly environment: string } | null;
}
