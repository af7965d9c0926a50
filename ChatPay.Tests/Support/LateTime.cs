namespace ChatPay.Tests.Support;

/// <summary>A clock that another day can be set on; its timers run as they do.</summary>
internal sealed class LateTime : TimeProvider
{
    public TimeSpan Late { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Late;
}
