namespace ChatPay.LoadTest.Faults;

/// <summary>A promise that was not kept, and where.</summary>
/// <param name="Rule">One of <see cref="Rules"/>.</param>
internal sealed record Violation(string Rule, string What)
{
    public override string ToString() => $"{Rule}: {What}";
}

/// <summary>What must hold whatever fails, by the names that stand in the report.</summary>
internal static class Rules
{
    public const string AcknowledgedOnce = "acknowledged_exactly_once_in_the_log";
    public const string UnacknowledgedAtMostOnce = "unacknowledged_at_most_once_in_the_log";
    public const string NothingMadeUp = "nothing_in_the_log_that_nobody_sent";
    public const string SeqOrder = "every_device_in_seq_order_without_gaps";
    public const string EveryDevice = "every_device_has_the_whole_log";
    public const string Outside = "nobody_outside_hears_or_is_heard";
    public const string Epochs = "one_commit_ends_each_epoch";
    public const string Cursors = "cursors_never_regress";
    public const string CardsEndOnce = "cards_end_once";
    public const string CardsAgree = "cards_agree_everywhere";
    public const string BooksBalance = "ledger_verify_clean";
    public const string InSync = "everybody_in_sync_after_every_fault";
    public const string Answered = "every_call_answered_and_no_session_lost";
    public const string FaultsEffective = "every_fault_took_effect";
    public const string OldClients = "old_clients_served_or_told_to_upgrade";
    public const string Drained = "drained_nodes_end_cleanly";

    public static IReadOnlyList<string> All { get; } =
    [
        AcknowledgedOnce, UnacknowledgedAtMostOnce, NothingMadeUp, SeqOrder, EveryDevice, Outside, Epochs, Cursors,
        CardsEndOnce, CardsAgree, BooksBalance, InSync, Answered, FaultsEffective, OldClients, Drained,
    ];
}
