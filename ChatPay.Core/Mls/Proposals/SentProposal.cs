namespace ChatPay.Core.Mls;

/// <summary>A proposal and who made it; a proposal that a commit holds in full is the committer's own.</summary>
public readonly record struct SentProposal(Proposal Proposal, Sender Sender);
