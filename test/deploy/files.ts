/** What is deployed with, as it is read by the tests beside this. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readConfig, settingNames, WrongSetting } from '../../src/config.ts';

export const root = join(import.meta.dirname, '../..');

export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** All documents of a file. @throws when it is no YAML, or says one thing twice */
export function yaml(path: string): readonly unknown[] {
  const documents = parseAllDocuments(text(path), { merge: true, uniqueKeys: true });
  if (!Array.isArray(documents)) throw new Error(`${path} is empty`);
  return documents.map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors.join('; ')}`);
    return document.toJS() as unknown;
  });
}

export const manifests = readdirSync(join(root, 'deploy/kubernetes')).map(
  (name) => `deploy/kubernetes/${name}`,
);

/** A version, not a word that means another image tomorrow. */
export function isPinned(image: string): boolean {
  return /^[^:@]+(?::\d+\/[^:@]+)?:[^:@]*\d+\.\d+[^:@]*$|^[^:@]+:RELEASE\.[\dTZ-]+$|@sha256:[0-9a-f]{64}$/.test(
    image,
  );
}

/** Settings that must never stand in a file. */
export function isSecret(name: string): boolean {
  return /KEY|SECRET|PASSWORD|_URL$|_PEM$/.test(name);
}

export function isSetting(name: string): boolean {
  return settingNames.includes(name);
}

/** What a secret of this name could be. */
export function exampleSecret(name: string): string {
  if (name === 'EVENTSTORE_URL') return 'esdb://user:password@db1.example.com:2113?tls=true';
  if (name === 'MONGODB_URL') return 'mongodb://user:password@db1.example.com/slipway';
  return Buffer.alloc(32, name).toString('base64');
}

/** What a process would say that is given these settings. */
export function problemsOfSettings(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof WrongSetting)) throw error;
    return error.message.split('\n');
  }
}

/** What `deploy/Dockerfile` sets. */
export function imageSettings(): Record<string, string> {
  const { groups } = /ENV (?<settings>(?:.*\\\n)*.*)/.exec(text('deploy/Dockerfile')) ?? {};
  const pairs = [...(groups?.['settings'] ?? '').matchAll(/(\w+)=(\S+)/g)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}
