#!/usr/bin/env bash
# Run once by the image's entry point, on a new cluster: the role that the server works as, who may become it, and the owner
# of the database. docs/LEDGER.md says under "Who may write what" why they are three.
set -euo pipefail

secrets=${SECRETS:-/run/secrets}
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
  --set=owner="$(cat "$secrets/owner_password")" --set=server="$(cat "$secrets/server_password")" << 'SQL'
create role chatpay_server nologin;
create role chatpay_login login password :'server' in role chatpay_server;
create role chatpay login password :'owner';
create database chatpay owner chatpay;
revoke connect on database chatpay from public;
grant connect on database chatpay to chatpay_login;
SQL
