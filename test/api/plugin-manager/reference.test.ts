import { expect } from 'chai';
import { z } from 'zod';
import { LogInBody } from '../../../src/api/plugin-manager/authentication.ts';
import * as deployments from '../../../src/api/plugin-manager/deployment-schemas.ts';
import { deployStripe } from '../../fixtures/plugin-manager.ts';

const { DeployPluginBody, RollBackBody } = deployments;

describe('Reference of the Plugin Manager API', () => {
  it('shows bodies that are taken', () => {
    for (const body of [DeployPluginBody, RollBackBody, LogInBody])
      expect(body.safeParse(body.meta()?.['example']).error).to.equal(undefined);
    expect(DeployPluginBody.meta()?.['example']).to.deep.equal(deployStripe);
    expect(RollBackBody.parse(undefined)).to.deep.equal({ reason: 'A rollback was requested' });
  });

  it('can describe every body, query and answer about deployments', () => {
    for (const [name, schema] of Object.entries(deployments))
      if (schema instanceof z.ZodType)
        for (const io of ['input', 'output'] as const)
          expect(() => z.toJSONSchema(schema, { io }), `${name} ${io}`).not.to.throw();
  });
});
