import { describeLives } from './describe-lives.ts';

describeLives('rollouts whose instances the platform probes', 'simulated');
