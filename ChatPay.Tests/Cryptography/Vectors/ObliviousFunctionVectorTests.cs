using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>
/// Ristretto255 put to its use: the oblivious functions of RFC 9497 are computed with it, in all three modes, and come out as
/// the standard publishes. Proofs are of the protocol, which is not here, and are not looked at.
/// </summary>
public sealed class ObliviousFunctionVectorTests
{
    private const string Source = "github.com/cfrg/draft-irtf-cfrg-voprf, poc/vectors";
    private const string Identifier = "ristretto255-SHA512";
    private const int PartiallyOblivious = 2;

    [Fact]
    public void Oblivious_functions_come_out_as_published()
    {
        var count = 0;
        foreach (var file in Vectors.Require("voprf", static _ => true, Source))
        {
            using var document = Vectors.Load(file);
            foreach (var suite in document.RootElement.EnumerateArray())
            {
                if (suite.GetProperty("identifier").GetString() != Identifier)
                {
                    continue;
                }

                foreach (var vector in suite.GetProperty("vectors").EnumerateArray())
                {
                    for (var i = 0; i < vector.GetProperty("Batch").GetInt32(); i++)
                    {
                        Check(suite, vector, i);
                        count++;
                    }
                }
            }
        }

        Assert.NotEqual(0, count);
    }

    private static void Check(JsonElement suite, JsonElement vector, int i)
    {
        byte[] Value(string name) =>
            Convert.FromHexString(vector.GetProperty(name).GetString()!.Split(',')[i]);
        var mode = suite.GetProperty("mode").GetByte();
        var input = Value("Input");
        var blind = Value("Blind");

        var element = new byte[Ristretto255.ElementSize];
        Ristretto255.MapToElement(Expand(input, suite.Hex("groupDST")), element);
        var blinded = Multiply(blind, element);
        Assert.Equal(Value("BlindedElement"), blinded);

        var key = suite.Hex("skSm");
        byte[]? info = mode == PartiallyOblivious ? vector.Hex("Info") : null;
        var evaluated = Multiply(info is null ? key : KeyFor(info, key), blinded);
        Assert.Equal(Value("EvaluationElement"), evaluated);

        var unblinded = Multiply(Invert(blind), evaluated);
        byte[] transcript =
            [.. Framed(input), .. info is null ? [] : Framed(info), .. Framed(unblinded), .. "Finalize"u8];
        Assert.Equal(Value("Output"), SHA512.HashData(transcript));
    }

    /// <summary>Section 3.3.3: the inverse of the key and a number made of the public input.</summary>
    private static byte[] KeyFor(byte[] info, byte[] key)
    {
        byte[] domain = [.. "HashToScalar-OPRFV1-"u8, PartiallyOblivious, .. Encoding.ASCII.GetBytes("-" + Identifier)];
        var number = new byte[Ristretto255.ScalarSize];
        Ristretto255.ReduceToScalar(Expand([.. "Info"u8, .. Framed(info)], domain), number);
        var sum = new byte[Ristretto255.ScalarSize];
        Ristretto255.AddScalars(key, number, sum);
        return Invert(sum);
    }

    private static byte[] Multiply(byte[] scalar, byte[] element)
    {
        var product = new byte[Ristretto255.ElementSize];
        Assert.True(Ristretto255.TryMultiply(scalar, element, product));
        return product;
    }

    private static byte[] Invert(byte[] scalar)
    {
        var inverse = new byte[Ristretto255.ScalarSize];
        Assert.True(Ristretto255.TryInvertScalar(scalar, inverse));
        return inverse;
    }

    private static byte[] Framed(byte[] bytes)
    {
        var framed = new byte[sizeof(ushort) + bytes.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)bytes.Length);
        bytes.CopyTo(framed, sizeof(ushort));
        return framed;
    }

    /// <summary>RFC 9380, section 5.3.1, with SHA-512 and for one block of output.</summary>
    private static byte[] Expand(byte[] message, byte[] domain)
    {
        byte[] suffix = [.. domain, (byte)domain.Length];
        var first = SHA512.HashData([.. new byte[128], .. message, 0, 64, 0, .. suffix]);
        return SHA512.HashData([.. first, 1, .. suffix]);
    }
}
