import { fencesContract } from '../contract/read-models-fences.ts';
import type { ReadModels } from '../../src/ports/read-models.ts';
import { openMemoryReadModels } from './memory-read-models.ts';

describe('read models in memory', () => {
  let models: ReadModels;
  beforeEach(() => {
    models = openMemoryReadModels();
  });

  fencesContract(() => models);
});
