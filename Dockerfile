# The image of the gateway, and with `--target simulator` one of the simulator.
# Node: the current LTS, on Debian bookworm slim.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY .ci/bundle.mjs .ci/
COPY src src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM build AS simulator
COPY test test
ENV HOST=0.0.0.0 PORT=9090
USER node
EXPOSE 9090
# A check that meets a start under way waits for it.
HEALTHCHECK --interval=10s --timeout=8s --start-period=10s --retries=3 \
  CMD ["node", "-e", "const until = Date.now() + 5000; const look = () => fetch(`http://127.0.0.1:${process.env.PORT || 8080}/_control/health`).then((r) => r.ok, () => false).then((ok) => ok ? process.exit(0) : Date.now() > until ? process.exit(1) : setTimeout(look, 200)); look()"]
CMD ["node", "--import", "tsx", "test/simulator/main.ts"]

FROM node:24-bookworm-slim AS gateway
# tini: as process 1, Node would ignore a signal until it listens for it.
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
# All addresses, or no port could be published: it starts once it is told who may call (docs/containers.md).
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
USER node
VOLUME /data
EXPOSE 8080
# Liveness: whoever restarts what is unhealthy does no good while Redis is away.
HEALTHCHECK --interval=10s --timeout=8s --start-period=10s --retries=3 CMD ["node", "dist/main.js", "healthcheck"]
# The flags are explained in docs/hardening.md.
ENTRYPOINT ["tini", "--", "node", "--v8-pool-size=1", "dist/main.js"]
