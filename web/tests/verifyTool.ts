import { spawn } from 'node:child_process';
import { newestBuild } from './server';

/** Runs `chatpay-verify` (CHATPAY_VERIFY_DLL, else the one built last), which knows no server. */
export async function chatpayVerify(...options: string[]): Promise<{ exitCode: number | null; output: string }> {
  const program = process.env.CHATPAY_VERIFY_DLL ?? newestBuild('ChatPay.Verify', 'chatpay-verify.dll');
  const child = spawn(process.env.DOTNET_HOST_PATH ?? 'dotnet', [program, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (part: Buffer) => {
    output += part.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { exitCode, output };
}
