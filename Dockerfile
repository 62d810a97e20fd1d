# Only COPY in the last stage, and no native code: an image for another processor needs no emulation to build.
ARG NODE_IMAGE=node:26-slim

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS tests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npx vitest run --project quick

# From the tests, so that there is no image without them.
FROM tests AS build
RUN npm run build && mkdir data

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="key-server" \
      org.opencontainers.image.description="Hands out cryptographic keys over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY --chmod=644 package.json node.env ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# Where unique keys are counted if nothing else is said: a new volume that is mounted here takes the owner over.
COPY --from=build --chown=1000:1000 --chmod=700 /app/data data
ENV NODE_ENV=production
USER 1000:1000
EXPOSE 1123
# By a variable, not by a flag: only the environment tells this check of another port.
HEALTHCHECK CMD ["node", "--eval", "const { SRV_PORT = 1123, TLS_CERT } = process.env; process.env.NODE_TLS_REJECT_UNAUTHORIZED = 0; fetch(`${TLS_CERT ? 'https' : 'http'}://127.0.0.1:${SRV_PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--env-file=node.env", "dist/server.cjs"]
