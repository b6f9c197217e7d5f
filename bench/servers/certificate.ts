import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { findProgram } from '../programs.ts';

/** The name that it is for. */
export const SERVER_NAME = 'bench.test';

export interface Certificate {
  /** PEM files; the certificate has signed itself, so that it is its own authority. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate of P-256, as most servers have, in files of `folder`; undefined where openssl is not installed. */
export function makeCertificate(folder: string): Certificate | undefined {
  const openssl = findProgram('openssl');
  if (openssl === undefined) return undefined;
  const files = { certFile: join(folder, 'bench.pem'), keyFile: join(folder, 'bench.key') };
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${SERVER_NAME}`, '-addext', `subjectAltName=DNS:${SERVER_NAME},IP:127.0.0.1`];
  execFileSync(openssl, [...request, ...names, '-keyout', files.keyFile, '-out', files.certFile], { stdio: 'ignore' });
  return files;
}
