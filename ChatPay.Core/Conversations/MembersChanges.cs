using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>Makes <see cref="MembersChange"/> from what changed; the rest is empty.</summary>
public static class MembersChanges
{
    public static MembersChange Left(AccountId account, RoleChange? handover) =>
        new([], [], [account], handover is null ? [] : [handover], [], [], []);

    public static MembersChange Removed(AccountId account) => new([], [account], [], [], [], [], []);

    public static MembersChange Role(RoleChange change) => new([], [], [], [change], [], [], []);

    public static MembersChange Retention(RetentionChange change) => new([], [], [], [], [], [], [], change);

    public static MembersChange Revoked(DeviceId device) => new([], [], [], [], [], [], [device]);
}
