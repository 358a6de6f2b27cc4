// A thread does not inherit the loader of TypeScript: this registers it and then starts the one that fuzzes.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
