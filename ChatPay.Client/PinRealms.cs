namespace ChatPay.Client;

/// <summary>
/// Where the account's PIN goes when it is set: what a person is shown before they set one, see
/// <see cref="ChatPayDevice.PinRealmsAsync"/>.
/// </summary>
/// <param name="Realms">The realms of the PIN vault that the server names, in the order of their shares.</param>
/// <param name="Threshold">How many of them are needed to try PINs, by whoever runs them too.</param>
/// <param name="Operators">How many parties run them, by what the server says.</param>
/// <param name="AreOther">
/// Whether these are others, or at other addresses, or another number of them is needed, than where the present PIN was set. A
/// person who has not heard from the operator that this was to come should ask before they set one.
/// </param>
public sealed record PinRealms(IReadOnlyList<NamedRealm> Realms, int Threshold, int Operators, bool AreOther);
