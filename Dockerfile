FROM node:26-bookworm-slim AS build
WORKDIR /signpost
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:26-bookworm-slim
# The DaemonSet's init container sets the listen address with `ip`.
RUN apt-get update \
  && apt-get install -y --no-install-recommends iproute2 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /signpost
COPY package.json LICENSE ./
COPY bin bin
COPY --from=build /signpost/node_modules node_modules
COPY --from=build /signpost/dist dist
ENV NODE_ENV=production
# UID 0 without capabilities but those that manifests/ adds: another user would be given none of them.
USER 0
# Flags stand here and not in NODE_OPTIONS, which Node.js ignores where capabilities are raised. The agent holds its heap small itself; this one
# does so during the start. Halves of 1 MiB would make it a fifth slower, and a bound of the old space would end an agent whose cache is large.
# SIGUSR1 would open the inspector.
# There is no HEALTHCHECK: kubelet probes /health and /ready.
ENTRYPOINT ["node", "--max-semi-space-size=2", "--disable-sigusr1", "bin/signpost.js"]
CMD ["serve"]
