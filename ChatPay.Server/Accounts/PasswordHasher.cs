using System.Security.Cryptography;
using ChatPay.Core.Accounts;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>
/// Hashes and verifies passwords, a few at a time: each takes its megabytes and a core for some tens of milliseconds, so
/// the number at once is bounded, the queue behind them too, and whoever finds it full gets <c>overloaded</c>.
/// </summary>
internal sealed class PasswordHasher : IDisposable
{
    private readonly SemaphoreSlim _slots;
    private readonly Argon2Parameters _parameters;
    private readonly int _capacity;
    private readonly string _nobodysHash;
    private int _inside;

    public PasswordHasher(IOptions<AccountOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _parameters = options.Value.PasswordParameters;
        _slots = new SemaphoreSlim(options.Value.PasswordConcurrency);
        _capacity = options.Value.PasswordConcurrency + options.Value.PasswordQueueCapacity;
        _nobodysHash = Create(SessionToken.Create());
    }

    public Task<Result<string>> HashAsync(string password, CancellationToken cancellationToken) =>
        RunAsync(() => Create(password), cancellationToken);

    /// <summary>Whether the password fits. Without a hash, for an account that is not there, it does the same work.</summary>
    public Task<Result<bool>> VerifyAsync(string password, string? hash, CancellationToken cancellationToken) =>
        RunAsync(() => PasswordHash.Verify(password, hash ?? _nobodysHash) && hash is not null, cancellationToken);

    public bool NeedsRehash(string hash) => PasswordHash.NeedsRehash(hash, _parameters);

    public void Dispose() => _slots.Dispose();

    private string Create(string password)
    {
        Span<byte> salt = stackalloc byte[Argon2id.SaltSize];
        RandomNumberGenerator.Fill(salt);
        return PasswordHash.Create(password, _parameters, salt);
    }

    private async Task<Result<T>> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _inside) > _capacity)
        {
            Interlocked.Decrement(ref _inside);
            return AccountErrors.Busy;
        }

        try
        {
            await _slots.WaitAsync(cancellationToken);
            try
            {
                return await Task.Run(work, cancellationToken);
            }
            finally
            {
                _slots.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }
}
