import { type RouteDefinition, SerializerSelector } from '@fastify/fast-json-stringify-compiler';

type Build = ReturnType<typeof SerializerSelector>;

/**
 * Serializers as Fastify has them, each compiled when it is first used. There are hundreds, one for each status of each
 * route, and they take a good part of the start; most are for problems, which are written without any.
 */
export const buildSerializers: Build = (schemas, options) => {
  const compile = SerializerSelector()(schemas, options);
  return (route: RouteDefinition) => {
    let serialize: ReturnType<typeof compile> | undefined;
    return (body: unknown) => {
      serialize ??= compile(route);
      return serialize(body);
    };
  };
};
