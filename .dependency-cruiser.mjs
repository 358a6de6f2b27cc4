// One direction of imports: http -> gateway -> {domain, store, modellix}; only app.ts knows the adapters.
// test/architecture.test.ts runs these rules and shows for each that it can fail.
const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });
const from = (path, ...pathNot) => ({ path, pathNot });
const npm = (names) => `node_modules/(${names})(/|$)`;

export default {
  forbidden: [
    forbid('no-cycles', {}, { circular: true }, 'A cycle hides which side owns the rule.'),
    forbid(
      'domain-is-pure',
      from('^src/domain/'),
      { pathNot: ['^src/domain/', '^zlib$'] },
      'The domain imports nothing but itself, and inflate for PNG: no I/O, no clock, no framework.',
    ),
    forbid(
      'gateway-below-http',
      from('^src/gateway/'),
      {
        pathNot: [
          '^src/(gateway|domain|modellix)/',
          '^src/problems\\.ts$',
          '^src/store/(store|spool)\\.ts$',
          '^(crypto|events|timers/promises)$',
        ],
      },
      'The gateway knows the domain and the ports: no Fastify, no adapter, no package, no I/O of its own.',
    ),
    forbid(
      'http-through-gateway',
      from('^src/http/'),
      { path: '^src/', pathNot: '^src/(http|gateway|domain)/|^src/problems\\.ts$' },
      'Routes call the gateway; they never touch a store or the upstream.',
    ),
    forbid(
      'adapters-stand-alone',
      from('^src/(store|modellix|media|outbound|videos|callers)/'),
      { path: '^src/', pathNot: '^src/(domain|disk|$1)/' },
      'An adapter serves its port and knows the domain: nobody above it, and no other adapter.',
    ),
    forbid(
      'client-stands-alone',
      from('^src/client/'),
      { pathNot: ['^src/client/', npm('eventsource-parser')] },
      'The client runs elsewhere, in browsers too: nothing of the gateway, and nothing of Node.js.',
    ),
    forbid(
      'client-for-others',
      from('^src/', '^src/(client|cli)/'),
      { path: '^src/client/' },
      'The gateway is not a client of itself.',
    ),
    forbid(
      'commands-through-client',
      from('^src/cli/', '^src/cli/(callers/|backup\\.ts$)'),
      { path: '^src/', pathNot: '^src/(cli|client)/' },
      'Commands do what any client can: they know nothing else of the gateway.',
    ),
    forbid(
      'caller-commands-on-their-file',
      from('^src/cli/callers/'),
      { path: '^src/', pathNot: '^src/(cli|callers|disk|domain)/' },
      'Commands that say who may call change a file, and ask no gateway.',
    ),
    forbid(
      'backup-on-its-database',
      from('^src/cli/backup\\.ts$'),
      { path: '^src/', pathNot: '^src/(cli|store/sqlite)/' },
      'A backup is made of a database, and asks no gateway.',
    ),
    forbid(
      'only-app-knows-callers',
      from('^src/', '^src/(app\\.ts|open\\.ts|callers/|cli/callers/)'),
      { path: '^src/callers/' },
      'Only the composition root, and the commands on the file, know where callers are kept.',
    ),
    forbid(
      'yaml-at-home',
      from('^src/', '^src/callers/'),
      { path: npm('yaml') },
      'Only the file of callers is YAML.',
    ),
    forbid(
      'only-main-knows-commands',
      from('^src/', '^src/(main\\.ts$|cli/)'),
      { path: ['^src/cli/', npm('commander')] },
      'The server runs without the commands.',
    ),
    forbid(
      'disk-knows-nobody',
      from('^src/disk/'),
      { path: '^src/', pathNot: '^src/disk/' },
      'How files are written is the same for all who write some.',
    ),
    forbid(
      'only-app-knows-videos',
      from('^src/', '^src/(app\\.ts|open\\.ts|videos/)'),
      { path: '^src/videos/' },
      'Only the composition root knows where videos are kept, if they are.',
    ),
    forbid(
      'problems-know-nobody',
      from('^src/problem(s|-catalogue)\\.ts$'),
      { pathNot: '^src/problem-catalogue\\.ts$' },
      'Problems are read from everywhere, so they read nothing but their catalogue.',
    ),
    forbid(
      'only-app-picks-adapters',
      from('^src/', '^src/(app\\.ts|open\\.ts|store/|cli/backup\\.ts$)'),
      { path: '^src/store/(sqlite|redis)' },
      'Only the composition root knows which store is in use.',
    ),
    forbid(
      'only-serve-knows-app',
      from('^src/', '^src/serve\\.ts$'),
      { path: '^src/(app|main)\\.ts$' },
      'The root of the tree is imported by the process alone.',
    ),
    forbid(
      'only-config-reads-settings',
      from('^src/', '^src/(config/|(app|open|serve|main)\\.ts$)'),
      { path: '^src/config/' },
      'Everything below the root is given what it needs.',
    ),
    forbid(
      'redis-driver-at-home',
      from('^src/', '^src/store/redis/'),
      { path: npm('ioredis') },
      'Only the Redis store speaks to Redis.',
    ),
    forbid(
      'sqlite-driver-at-home',
      from('^src/', '^src/store/sqlite/'),
      { path: npm('libsql') },
      'Only the embedded store opens its database.',
    ),
    forbid(
      'http-client-at-home',
      from('^src/', '^src/(modellix|outbound)/'),
      { path: npm('undici') },
      'Requests go out in two places: with the key to Modellix, and without it to where callers point.',
    ),
    forbid(
      'addresses-at-home',
      from('^src/', '^src/outbound/'),
      { path: npm('ipaddr\\.js') },
      'Which addresses may be connected to is decided once.',
    ),
    forbid(
      'logger-at-home',
      from('^src/', '^src/telemetry/'),
      { path: npm('pino|prom-client') },
      'What may be logged and what is counted is decided once.',
    ),
    forbid(
      'fastify-at-home',
      from('^src/', '^src/(http/|app\\.ts$)'),
      { path: npm('fastify|@fastify') },
      'Only the HTTP layer knows Fastify; app.ts passes its instance on.',
    ),
    forbid(
      'no-dev-packages',
      from('^src/'),
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: npm('@types') },
      'What runs in production is a dependency.',
    ),
    forbid('no-missing-files', {}, { couldNotResolve: true }, 'An import that leads nowhere.'),
    forbid(
      'no-dead-files',
      from('^src/(main|client/index)\\.ts$'),
      { path: '^src/', pathNot: '^src/(main|client/index)\\.ts$', reachable: false },
      'A file that neither the process nor the client needs is dead code.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
