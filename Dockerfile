# A static program in an empty image, run by a user without rights.
#
#   docker build -t replyscope .
#   docker run -p 8080:8080 -v replyscope:/data replyscope
#   docker run -i replyscope analyze - < capture.pcap
#
# The same image runs the agent on a node; deploy/ shows the rights that it needs.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Static glibc: SQLite, zstd and ring are compiled from their crates with the image's
# gcc, and nothing else is linked. The target is named so that macros, which must
# stay dynamic, are not compiled with the same flags. Public authorities come along
# for clusters whose kubeconfig names none of its own.
RUN set -eu; \
    target="$(rustc -vV | sed -n 's/^host: //p')"; \
    RUSTFLAGS='-C target-feature=+crt-static' \
        cargo build --locked --profile dist --bin replyscope --target "$target"; \
    install -D "target/$target/dist/replyscope" /image/usr/bin/replyscope; \
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt; \
    install -d -o 65532 -g 65532 /image/data; \
    install -d -m 1777 /image/tmp

FROM scratch
COPY --from=build /image /
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENV REPLYSCOPE_LISTEN=0.0.0.0:8080 REPLYSCOPE_DATA=/data
# No HEALTHCHECK: an empty image has nothing to ask with. Probe /livez and /readyz.
ENTRYPOINT ["/usr/bin/replyscope"]
CMD ["serve"]
