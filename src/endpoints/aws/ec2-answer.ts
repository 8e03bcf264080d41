import { type Answer, answer } from '../answer.ts'

/** Which part of the AWS endpoint an answer comes from; label of `metadatad_answers_total`. */
export type AwsRoute =
  | 'token'
  | 'role'
  | 'credentials'
  | 'info'
  | 'document'
  | 'value'
  | 'passthrough'
  | 'none'

const SERVER = ['Server', 'EC2ws']

/** A value, a listing or a document: EC2 calls all of them plain text. */
export function ec2Text(
  route: AwsRoute,
  status: number,
  body: string | Buffer,
  headers: readonly string[] = [],
): Answer {
  return answer(route, status, 'text/plain', body, [...SERVER, ...headers])
}

/**
 * An error page as EC2 has it. No SDK shows it to anybody; whoever asks by hand reads what to do.
 *
 * @param message for the pod
 */
export function ec2Page(
  route: AwsRoute,
  status: number,
  reason: string,
  message?: string,
  headers: readonly string[] = [],
): Answer {
  const page = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>${status} - ${reason}</title>
 </head>
 <body>
  <h1>${status} - ${reason}</h1>
${message === undefined ? '' : `  <p>${xmlText(message)}</p>\n`} </body>
</html>
`
  return answer(route, status, 'text/html', page, [...SERVER, ...headers])
}

/** XML text in the page's one-byte encoding. */
function xmlText(text: string): string {
  return text.replace(/[^\n -%'-;=?-~]/gu, (character) => `&#${character.codePointAt(0)};`)
}
