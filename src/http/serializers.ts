import { type RouteDefinition, SerializerSelector } from '@fastify/fast-json-stringify-compiler';

type Build = ReturnType<typeof SerializerSelector>;
const compiled = new Map<unknown, ReturnType<ReturnType<Build>>>();

/**
 * Serializers as Fastify has them, each compiled when it is first used, and once in a process. There are hundreds, one for
 * each status of each route, and they take a good part of the start; most are for problems, which are written without any.
 */
export const buildSerializers: Build = (schemas, options) => {
  const compile = SerializerSelector()(schemas, options);
  return (route: RouteDefinition) => (body: unknown) => {
    const serialize = compiled.get(route.schema) ?? compile(route);
    compiled.set(route.schema, serialize);
    return serialize(body);
  };
};
