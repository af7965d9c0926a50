namespace ChatPay.Server.Accounts;

/// <summary>
/// Revokes devices for good and ends their sessions, in the transaction of whoever has decided it: with the decision, or not
/// at all.
/// </summary>
internal static class RevocationRows
{
    /// <summary>$1 is the account, $2 the devices. Says how many of them it has; again is no error.</summary>
    public const string Revoke =
        """
        with gone as (
            update device
            set revoked_at = coalesce(revoked_at, now()), recognition_hash = null
            where account_id = $1 and id = any($2)
            returning id
        ), ended as (
            update session set revoked_at = now()
            where device_id in (select id from gone) and revoked_at is null
        )
        select count(*)::int from gone
        """;
}
