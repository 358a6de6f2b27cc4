// One direction of imports: http -> gateway -> {domain, store, modellix}; only app.ts knows the adapters.
const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });
const outside = (...allowed) => ({ path: '^src/', pathNot: allowed });

export default {
  forbidden: [
    forbid('no-cycles', {}, { circular: true }, 'A cycle hides which side owns the rule.'),
    forbid(
      'domain-is-pure',
      { path: '^src/domain/' },
      outside('^src/domain/'),
      'The domain imports nothing of ours but itself.',
    ),
    forbid(
      'domain-does-no-io',
      { path: '^src/domain/' },
      {
        path: '^(node:)?(fs|net|http|https|dns|timers|child_process)|node_modules/(fastify|undici|ioredis|classic-level)',
      },
      'No I/O, no framework.',
    ),
    forbid(
      'gateway-below-http',
      { path: '^src/gateway/' },
      { path: '^src/(http|app|main|config)|^src/store/(embedded|redis)|node_modules/fastify' },
      'The gateway knows the ports, not Fastify and not an adapter.',
    ),
    forbid(
      'http-through-gateway',
      { path: '^src/http/' },
      { path: '^src/(store|modellix|config|app|main)' },
      'Routes call the gateway; they never touch a store or the upstream.',
    ),
    forbid(
      'adapters-stand-alone',
      { path: '^src/(store|modellix)/' },
      { path: '^src/(http|gateway|app|main|config)' },
      'An adapter serves its port and knows nobody above it.',
    ),
    forbid(
      'store-and-upstream-apart',
      { path: '^src/(store)/' },
      { path: '^src/modellix/' },
      'Two adapters never talk to each other.',
    ),
    forbid(
      'only-app-picks-adapters',
      { path: '^src/', pathNot: '^src/(app\\.ts|store/)' },
      { path: '^src/store/(embedded|redis)' },
      'Only the composition root knows which store is in use.',
    ),
    forbid('no-orphans', { orphan: true, path: '^src/' }, {}, 'A file nobody imports is dead code.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
