using ChatPay.Verify;

return await VerifyCommandLine.RunAsync(args, Console.Out, Console.Error);
