using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Vault;
using ChatPay.LoadTest.Messaging;

namespace ChatPay.LoadTest.Vaulting;

/// <summary>
/// A realm's arithmetic by itself, on one thread: the evaluation, and the evaluation with its proof, beside libsodium's bare
/// multiplications called straight from here.
/// </summary>
internal sealed unsafe class EvaluationBench
{
    /// <summary>
    /// With its proof an evaluation multiplies four times by an element (the evaluation, the weight of the batch, the key and
    /// the nonce) and once by the generator (the nonce), as RFC 9497's GenerateProof has it.
    /// </summary>
    public const int ElementMultiplications = 4;

    private const int Each = 32;
    private static readonly string[] s_libraries =
        ["libsodium.so.26", "libsodium.so.23", "libsodium.so", "libsodium.dylib", "libsodium"];

    private readonly delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int> _multiply;
    private readonly delegate* unmanaged[Cdecl]<byte*, byte*, int> _multiplyBase;
    private readonly byte[] _key = new byte[Oprf.KeySize];
    private readonly byte[] _publicKey = new byte[Oprf.ElementSize];
    private readonly byte[] _element = new byte[Oprf.ElementSize];

    public EvaluationBench()
    {
        Oprf.Verifiable.DeriveKeyPair(RandomNumberGenerator.GetBytes(Oprf.SeedSize), [], _key, _publicKey);
        Ristretto255.MapToElement(RandomNumberGenerator.GetBytes(Ristretto255.UniformSize), _element);
        nint library = 0;
        if (!Array.Exists(s_libraries, name => NativeLibrary.TryLoad(name, out library)))
        {
            throw new InvalidOperationException("libsodium was not found under the names that its packages install.");
        }

        _multiply = (delegate* unmanaged[Cdecl]<byte*, byte*, byte*, int>)NativeLibrary.GetExport(
            library, "crypto_scalarmult_ristretto255");
        _multiplyBase = (delegate* unmanaged[Cdecl]<byte*, byte*, int>)NativeLibrary.GetExport(
            library, "crypto_scalarmult_ristretto255_base");
    }

    /// <summary>Whether each gave what the others did, and every proof verified that was looked at.</summary>
    public bool IsRight { get; private set; } = true;

    public Pace Evaluate(TimeSpan window)
    {
        var evaluated = new byte[Oprf.ElementSize];
        var pace = Repeat(window, () => Oprf.BlindEvaluate(_key, _element, evaluated));
        IsRight &= evaluated.AsSpan().SequenceEqual(Product());
        return pace;
    }

    public Pace EvaluateAndProve(TimeSpan window)
    {
        var evaluated = new byte[Oprf.ElementSize];
        var proof = new byte[Oprf.ProofSize];
        var pace = Repeat(window, () => Oprf.BlindEvaluate(_key, _element, evaluated)
            && Oprf.Verifiable.GenerateProof(_key, _publicKey, _element, evaluated, RandomNumberGenerator.Fill, proof));
        IsRight &= evaluated.AsSpan().SequenceEqual(Product())
            && Oprf.Verifiable.VerifyProof(_publicKey, _element, evaluated, proof);
        return pace;
    }

    /// <summary>One multiplication of an element.</summary>
    public Pace Multiply(TimeSpan window)
    {
        var product = new byte[Oprf.ElementSize];
        return Repeat(window, () => MultiplyOnce(product));
    }

    /// <summary>The multiplications that an evaluation with its proof takes, and nothing besides.</summary>
    public Pace MultiplyAsForProof(TimeSpan window)
    {
        var product = new byte[Oprf.ElementSize];
        return Repeat(window, () =>
        {
            var isDone = true;
            for (var time = 0; time < ElementMultiplications; time++)
            {
                isDone &= MultiplyOnce(product);
            }

            fixed (byte* to = product, key = _key)
            {
                return isDone & (_multiplyBase(to, key) == 0);
            }
        });
    }

    private Pace Repeat(TimeSpan window, Func<bool> work) => Pace.Measure(window, Each, () =>
    {
        for (var time = 0; time < Each; time++)
        {
            IsRight &= work();
        }
    });

    private byte[] Product()
    {
        var product = new byte[Oprf.ElementSize];
        IsRight &= MultiplyOnce(product);
        return product;
    }

    private bool MultiplyOnce(byte[] product)
    {
        fixed (byte* to = product, key = _key, element = _element)
        {
            return _multiply(to, key, element) == 0;
        }
    }
}
