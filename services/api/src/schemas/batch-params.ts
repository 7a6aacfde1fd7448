import { BATCH_ID } from '@backfill/core/domain/submission';
import { z } from 'zod';

/** The path of a batch. */
export const BatchParams = z.strictObject({ batch_id: z.string().regex(BATCH_ID) });
