/** What a tenant is told of its instances: one announcement a batch of reports. */
import { deployment } from '../../domain/deployment/deployment.ts';
import type { InstanceHealthObserved } from '../../domain/health.ts';
import { pluginNames, type Telling, type Tellings } from './telling.ts';

/** More would say no more. */
const mostNamed = 20;

const onObserved: Telling = async (event, { past }) => {
  // The type of the event says which data it has.
  const { deploymentId, tenant, environment, plugin, reports } =
    event.data as object as InstanceHealthObserved;
  const state = await past.asOf(deployment, deploymentId, event.position);
  const of = (outcome: 'pass' | 'fail' | 'error') => reports.filter((report) => report.outcome === outcome);
  const failing = [...new Set(of('fail').map(({ instance }) => instance))];
  const data = {
    deploymentId,
    service: plugin,
    environment: environment.toLowerCase(),
    tenantId: tenant,
    ...(await pluginNames(past, plugin, event.position)),
    version: state.phase === 'None' ? null : state.request.pluginVersion,
    passed: of('pass').length,
    failed: of('fail').length,
    /** Could not be asked, which says nothing of the instance. */
    errors: of('error').length,
    failing: failing.slice(0, mostNamed),
  };
  return [{ type: 'health:reported', tenant, visibility: 'tenant', data }];
};

export const healthTellings: Tellings = { InstanceHealthObserved: onObserved };
