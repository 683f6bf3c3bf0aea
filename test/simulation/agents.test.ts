import { describeLives } from './describe-lives.ts';

describeLives('rollouts that agents report on, who lie, repeat, reorder and fall silent', 'agent');
