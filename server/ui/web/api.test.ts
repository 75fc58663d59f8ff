// The API's envelope, and a matrix laid onto the grid.
import { expect, test } from 'vitest';
import { ApiError, readAnswer, readMatrix, Unreachable } from './api';

const grid = { start: 100, end: 130, step: 10 };
const matrix = (...values: [number, string][]) => ({ result: [{ metric: {}, values }] });

test('a matrix with gaps, NaN and infinity keeps its last sample as it was written', () => {
  const series = readMatrix(matrix([100, '1.50'], [120, 'NaN'], [130, '+Inf']), grid);
  expect(series).toEqual({ values: [1.5, null, null, null], last: { time: 130, text: '+Inf' } });
});

test('zero by zero at the end is the last value', () => {
  const series = readMatrix(matrix([100, '0.25'], [110, 'NaN']), grid);
  expect(series).toEqual({ values: [0.25, null, null, null], last: { time: 110, text: 'NaN' } });
});

test.each([
  ['no series', { result: [] }],
  ['a series without samples', matrix()],
])('%s is no data', (_, empty) => {
  expect(readMatrix(empty, grid)).toBeNull();
});

test('two series are more than a line can show', () => {
  const two = { result: [...matrix([100, '1']).result, ...matrix([100, '2']).result] };
  expect(() => readMatrix(two, grid)).toThrow('one series expected, the query returned 2');
});

test('the data of a success is returned', () => {
  expect(readAnswer(200, 'OK', '{"status":"success","data":["a"]}')).toEqual(['a']);
});

const refused = '{"status":"error","errorType":"bad_data","error":"1:3: parse error: no"}';
const late = '{"status":"error","errorType":"timeout","error":"query timed out"}';

test.each([
  [400, refused, ApiError, 'bad_data: 1:3: parse error: no'],
  [503, late, ApiError, 'timeout: query timed out'],
  [404, 'not found', ApiError, 'the server answered 404'],
  [401, 'Unauthorized', ApiError, 'the server answered 401'],
  [200, '<html>', ApiError, 'the server answered 200'],
  [200, 'null', ApiError, 'the server answered 200'],
  [502, 'Bad Gateway', Unreachable, 'the server answered 502'],
  [503, 'Service Unavailable', Unreachable, 'the server answered 503'],
])('%d %s', (status, text, kind, message) => {
  const answer = () => readAnswer(status, '', text);
  expect(answer).toThrow(kind);
  expect(answer).toThrow(message);
});
