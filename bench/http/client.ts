/** What the benchmarks over HTTP ask a Slipway for before they measure. */
import { RegisterPluginBody } from '../../src/api/plugin-manager/plugin-schemas.ts';
import { adminPassword } from '../slipway.ts';

export interface Target {
  readonly url: string;
  readonly token: string;
}

/** The Plugin Manager API's own example of a registration, as JSON: the plugin's id is `{name}-%n`. */
export function exampleBody(name: string): string {
  const example = JSON.stringify(RegisterPluginBody.meta()?.['example']);
  const body = example.replace('"payment-stripe"', `"${name}-%n"`);
  if (body === example) throw new Error('the example of the API has another pluginId now');
  return body;
}

export async function loggedIn(url: string): Promise<Target> {
  const credentials = { username: 'admin@example.com', password: adminPassword };
  const answer = await post(`${url}/api/v1/authentication/login`, credentials);
  if (typeof answer !== 'object' || answer === null || !('token' in answer))
    throw new Error('the login answered no token');
  return { url, token: String(answer.token) };
}

/** What the example depends on. */
export async function registerDependency({ url, token }: Target): Promise<void> {
  const version = { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8' } };
  await post(`${url}/api/v1/plugins`, { pluginId: 'core-payments', name: 'Core Payments', version }, token);
}

export function bearer({ token }: Target): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

async function post(url: string, body: object, token?: string): Promise<unknown> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
