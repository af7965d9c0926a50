-- For people and their tools: every entry with what was there before and after it, in the asset's own decimals. Name an
-- account by handle and asset, or, where it is a long one, by account_id: its rows come along the primary key of entry.

create view statement as
select
    p.handle,
    a.system_name,
    a.asset,
    e.version,
    e.created_at,
    case
        when t.kind = 1 and o.system_name is not null then 'funding'
        when t.kind in (1, 7) then 'transfer'
        when t.kind = 2 then 'hold'
        when t.kind in (3, 8) then 'capture'
        when t.kind = 4 then 'release'
        when t.kind = 5 then 'expire'
        when t.kind = 6 then 'refund'
    end as kind,
    -- The other side in the ledger; a hold names none, its card does.
    coalesce(q.handle, o.system_name) as counterparty,
    e.posted_minor * u.unit as posted,
    e.held_minor * u.unit as held,
    (e.balance_after_minor - e.posted_minor) * u.unit as balance_before,
    e.balance_after_minor * u.unit as balance_after,
    (e.held_after_minor - e.held_minor) * u.unit as held_before,
    e.held_after_minor * u.unit as held_after,
    e.account_id,
    e.transfer_id,
    t.hold_id,
    t.refund_of,
    t.group_id,
    t.card_id
from entry e
join ledger_account a on a.id = e.account_id
join asset s on s.code = a.asset
-- 0.01 for two decimals: what is multiplied by it has just those.
cross join lateral (select ('1e-' || s.exponent)::numeric as unit) u
join transfer t on t.id = e.transfer_id
left join ledger_account o on o.id = case when t.debit_id = e.account_id then t.credit_id else t.debit_id end
left join account p on p.id = a.owner_id
left join account q on q.id = o.owner_id;
