# For one architecture: docker build -t signpost:0.1.0 .
# For several: docker buildx build --platform linux/amd64,linux/arm64 -t NAME --push .
# The first two stages run on the architecture of the machine that builds: what the first makes runs on any, and npm fetches the native
# binary of another as well as its own.
FROM --platform=$BUILDPLATFORM node:26-bookworm-slim AS build
WORKDIR /signpost
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM --platform=$BUILDPLATFORM node:26-bookworm-slim AS packages
ARG TARGETARCH
WORKDIR /signpost
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --os=linux --libc=glibc --cpu="$(echo "$TARGETARCH" | sed s/amd64/x64/)"

FROM node:26-bookworm-slim
# For the node's network: each host gets its rules by the tool that it uses itself. bash is there for the start probe.
RUN apt-get update \
  && apt-get install -y --no-install-recommends iproute2 nftables iptables ipset \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /signpost
COPY package.json LICENSE CHANGELOG.md ./
COPY bin bin
COPY manifests manifests
COPY --from=packages /signpost/node_modules node_modules
COPY --from=build /signpost/dist dist
# Without its native binary the agent would run and be slow: better no image. `signpost` is for those who look into a pod.
RUN node --eval "require('koffi').load(null)" && ln -s /signpost/bin/signpost.js /usr/local/bin/signpost
ENV NODE_ENV=production
# UID 0 without capabilities but those that the manifests add: another user would be given none of them.
USER 0
# Flags stand here and not in NODE_OPTIONS, which Node.js ignores where capabilities are raised. The agent holds its heap small itself; this one
# does so during the start. Halves of 1 MiB would make it a fifth slower, and a bound of the old space would end an agent whose cache is large.
# SIGUSR1 would open the inspector.
# There is no HEALTHCHECK: kubelet probes /health and /ready.
ENTRYPOINT ["node", "--max-semi-space-size=2", "--disable-sigusr1", "bin/signpost.js"]
CMD ["serve"]
