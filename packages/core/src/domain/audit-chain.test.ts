import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AnchoredHead, auditKeyCheck, firstPreviousMac, isHeadGenuine, sealMac, signHead } from './audit-chain.ts';

const key = createSecretKey(Buffer.alloc(32, 'k'));
const otherKey = createSecretKey(Buffer.alloc(32, 'o'));

const ENTRY = {
  audit_id: 10,
  at: '2026-11-23T10:00:00.000001Z',
  actor: 'operator',
  batch_id: null,
  action: 'status',
  detail: '{"n": 10}',
};

describe('seal and head', () => {
  it('are what they were in every earlier version', () => {
    // Made with: printf … | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    expect(auditKeyCheck(key)).toBe('38c55b9d9eec88f079646a48ce11798144505f53bc1c448de5a1dcdc228d6b27');
    expect(firstPreviousMac(key)).toBe('331895595880cc65f77d67f77b78fe36a0733705fad33cb175e8f63b31fb37e3');
    expect(sealMac(key, firstPreviousMac(key), ENTRY)).toBe(
      '4954696863975555d8719bd72117c2508921db5ac40831c5a7040e813889f524',
    );
  });

  it('tell a genuine head from one that was changed or made with another key', () => {
    const head = signHead(key, { chain_no: 3, mac: 'a'.repeat(64), sealed_at: '2026-11-23T10:00:00.000Z' });
    expect(AnchoredHead.parse(JSON.parse(JSON.stringify(head)))).toEqual(head);
    expect(isHeadGenuine(key, head)).toBe(true);
    for (const change of [{ chain_no: 4 }, { mac: 'b'.repeat(64) }, { sealed_at: '2026-11-23T10:00:00.001Z' }]) {
      expect(isHeadGenuine(key, { ...head, ...change })).toBe(false);
    }
    expect(isHeadGenuine(otherKey, head)).toBe(false);
  });
});
