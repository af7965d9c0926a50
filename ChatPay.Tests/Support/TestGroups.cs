using System.Text;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>Steps that many tests of groups take.</summary>
internal static class TestGroups
{
    /// <summary>Clients in one group, created by the first, who adds all others by one commit.</summary>
    public static TestClient[] Of(int count, MlsCipherSuite? suite = null, IReadOnlyList<Extension>? extensions = null)
    {
        var clients = Enumerable.Range(0, count).Select(index => new TestClient($"member {index}", suite: suite)).ToArray();
        clients[0].Create(extensions: extensions);
        Add(clients[..1], clients[1..], clients[0]);
        AssertAgree(clients);
        return clients;
    }

    /// <summary>A member adds clients; all others follow.</summary>
    public static void Add(
        IEnumerable<TestClient> members, IReadOnlyList<TestClient> added, TestClient committer, bool withPath = false)
    {
        if (added.Count == 0)
        {
            return;
        }

        var bundles = added.Select(static client => client.NewBundle()).ToList();
        var pending = committer.Commit(new MlsCommitRequest
        {
            Proposals = [.. bundles.Select(static bundle => new AddProposal { KeyPackage = bundle.KeyPackage })],
            ForcePath = withPath,
        });
        Deliver(pending.Message, members, committer);
        foreach (var (client, bundle) in added.Zip(bundles))
        {
            client.Join(pending.Welcome, bundle);
            bundle.Dispose();
        }
    }

    /// <summary>All but the committer process the commit.</summary>
    public static void Deliver(byte[] commit, IEnumerable<TestClient> members, TestClient committer)
    {
        foreach (var member in members)
        {
            if (member != committer)
            {
                member.Process<ProcessedCommit>(commit);
            }
        }
    }

    /// <summary>A member's whole state, as whoever captures its device has it.</summary>
    public static Group Copy(TestClient member)
    {
        using var key = StorageKey.Import(new byte[StorageKey.SizeBytes]);
        var epoch = member.Group.SaveEpoch(key, member.Services.Random);
        var ratchets = member.Group.SaveRatchets(key, member.Services.Random);
        Assert.True(
            Group.TryLoad(epoch, ratchets, key, member.Identity, member.Services, out var copy, out var rejection),
            rejection.ToString());
        return copy;
    }

    /// <summary>The members see the same epoch, derive the same secrets, and read what each other says.</summary>
    public static void AssertAgree(IReadOnlyList<TestClient> members)
    {
        var first = members[0].Group;
        var exported = first.Export("test", "context"u8, 32);
        foreach (var member in members)
        {
            Assert.Equal(GroupStatus.Active, member.Group.Status);
            Assert.Equal(first.Epoch, member.Group.Epoch);
            Assert.Equal(first.EpochAuthenticator, member.Group.EpochAuthenticator);
            Assert.Equal(exported, member.Group.Export("test", "context"u8, 32));
            Assert.Equal(
                first.Members.Select(static other => other.LeafIndex),
                member.Group.Members.Select(static other => other.LeafIndex));
        }
    }

    /// <summary>One says something, and all others read it.</summary>
    public static void AssertReads(IEnumerable<TestClient> members, TestClient speaker, string text = "hello")
    {
        var data = Encoding.UTF8.GetBytes(text);
        var message = speaker.Group.Encrypt(data, "bound"u8);
        foreach (var member in members.Where(member => member != speaker))
        {
            var read = member.Process<ProcessedApplication>(message);
            Assert.Equal(data, read.Data);
            Assert.Equal("bound"u8.ToArray(), read.AuthenticatedData);
            Assert.Equal(speaker.Group.OwnLeaf, read.SenderLeaf);
        }
    }
}
