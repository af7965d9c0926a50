-- Who may see whether an account is there (1 its contacts, 2 nobody), and when it last was, rounded down to five minutes.

alter table account
    add column presence smallint not null default 1 check (presence in (1, 2)),
    add column last_seen_at timestamptz,
    add constraint account_hidden_unseen check (presence = 1 or last_seen_at is null);
