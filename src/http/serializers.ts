import { type RouteDefinition, SerializerSelector } from '@fastify/fast-json-stringify-compiler';

type Build = ReturnType<typeof SerializerSelector>;
type Serialize = ReturnType<ReturnType<Build>>;

/** By schema: routes and servers of one process share what an `$id` stands for. */
const compiled = new Map<string, Serialize>();

/**
 * Serializers as Fastify has them, each compiled when it is first used. There are hundreds, one for each status of each
 * route, and they take a good part of the start; most are for problems, which are written without any.
 */
export const buildSerializers: Build = (schemas, options) => {
  const compile = SerializerSelector()(schemas, options);
  return (route: RouteDefinition) => {
    let serialize: Serialize | undefined;
    return (body: unknown) => {
      serialize ??= serializerOf(route.schema, () => compile(route));
      return serialize(body);
    };
  };
};

function serializerOf(schema: unknown, compile: () => Serialize): Serialize {
  const key = JSON.stringify(schema);
  const serialize = compiled.get(key) ?? compile();
  compiled.set(key, serialize);
  return serialize;
}
