# syntax=docker/dockerfile:1
# One file, two images: `docker build --target mycareer .` and `docker build --target mycareer-worker .`

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src

# First the dependencies alone, on empty crates: this layer is made again only when a manifest changes.
COPY Cargo.toml Cargo.lock ./
COPY entity/Cargo.toml entity/
COPY migration/Cargo.toml migration/
COPY domain/Cargo.toml domain/
COPY worker/Cargo.toml worker/
COPY api/Cargo.toml api/
COPY tests/Cargo.toml tests/
RUN mkdir --parents tests/support tests/it \
    && touch tests/support/lib.rs tests/it/main.rs \
    && for crate in entity migration domain worker api; do mkdir $crate/src && touch $crate/src/lib.rs; done \
    && for crate in worker api; do echo 'fn main() {}' > $crate/src/main.rs; done \
    && cargo build --release --locked --package mycareer --package mycareer-worker

# Then the project. The empty crates were built later than these files were written, hence the touch.
COPY . .
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --package mycareer --package mycareer-worker

FROM debian:bookworm-slim AS runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm --recursive --force /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/mycareer mycareer
WORKDIR /var/lib/mycareer
USER mycareer

FROM runtime AS mycareer-worker
COPY --from=build /src/target/release/mycareer-worker /usr/local/bin/
ENTRYPOINT ["mycareer-worker"]

FROM runtime AS mycareer
COPY --from=build /src/target/release/mycareer /usr/local/bin/
ENV MYCAREER_LISTEN=0.0.0.0:8000
EXPOSE 8000
ENTRYPOINT ["mycareer"]
