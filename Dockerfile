# syntax=docker/dockerfile:1
# The server with the web client beside it. It runs as an unprivileged user on a read-only file system, writes to nothing but
# /tmp and the network, and needs a PostgreSQL of its own: the embedded one is not in here.

FROM node:20-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS server
WORKDIR /src
# What is restored changes seldom; what is built on top of it, always.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY ChatPay.Core/ChatPay.Core.csproj ChatPay.Core/packages.lock.json ChatPay.Core/
COPY ChatPay.Server/ChatPay.Server.csproj ChatPay.Server/packages.lock.json ChatPay.Server/
RUN dotnet restore ChatPay.Server --locked-mode
COPY ChatPay.Core/ ChatPay.Core/
COPY ChatPay.Server/ ChatPay.Server/
RUN dotnet publish ChatPay.Server -c Release --no-restore -o /app
COPY --from=web /src/web/dist/ /app/wwwroot/

FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN apt-get update \
  && apt-get install -y --no-install-recommends libsodium23 curl \
  && rm -rf /var/lib/apt/lists/* \
  && install --directory --mode=0700 --owner=$APP_UID /var/lib/chatpay/vault
WORKDIR /app
COPY --from=server /app ./
# No diagnostic sockets, which would be written to /tmp.
ENV ASPNETCORE_ENVIRONMENT=Production \
    ASPNETCORE_HTTP_PORTS= \
    ASPNETCORE_URLS=http://0.0.0.0:8080 \
    DOTNET_EnableDiagnostics=0
EXPOSE 8080
USER $APP_UID
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["dotnet", "ChatPay.Server.dll"]
