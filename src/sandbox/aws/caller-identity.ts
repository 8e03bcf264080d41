import type { Issued } from '../issued.ts'
import { assumedRoleUser } from './assumed-role-user.ts'
import type { AnswerTree } from './render-answer.ts'
import { requestSignature, type SignedRequest } from './request-signature.ts'
import type { AwsSessionInfo } from './sandbox-aws.ts'
import { StsError } from './sts-error.ts'

/**
 * `GetCallerIdentity`: whose role session signed the request.
 *
 * @returns the result element of the answer
 * @throws StsError
 */
export function callerIdentity(sessions: Issued<AwsSessionInfo>, request: SignedRequest): AnswerTree {
  const signature = requestSignature(request)
  const session = sessions.find(signature.accessKeyId)
  if (!session && sessions.remembers(signature.accessKeyId)) throw new StsError('ExpiredToken')
  if (!session || request.headers['x-amz-security-token'] !== session.sessionToken) {
    throw new StsError('InvalidClientTokenId')
  }
  if (!signature.verify(session.secretAccessKey)) throw new StsError('SignatureDoesNotMatch')
  const user = assumedRoleUser(session.roleArn, session.sessionName)
  return { Arn: user.arn, UserId: user.id, Account: user.accountId }
}
