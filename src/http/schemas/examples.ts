/** What "Try it out" sends: a drawn portrait and two seconds of synthesised speech, both made for this project. */

const portrait = [
  'iVBORw0KGgoAAAANSUhEUgAAASwAAAGQBAMAAADmW0BIAAAAElBMVEXd5/Avb49KLiDyyaj///+4WlA6ImekAAAFlElEQVRIx+3W3Y3j',
  'OBAEYFqXwBKXgEBtBOZuAjfKYOD8U7mXWdjwSPxpVjV77e5XWdCHqhatEHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8zM9qDZQexgpu',
  'Sc9jEmUAdoyaDTtXzXSl4qwmVZNcS6qPTZW+q02l7mpUKe9XShZdKVl0LT2sZFOl5upUKdWYkkXX0s9KJsPSiCsli65Fxkomw2LHJQ2L',
  'HJdYRY1LHhY1rgEVMa6RsIhxDalocY2FRYtrUEWKazQsUlzDKkpc42FR4gKoCHEhwiLEZZQFUcFbxIQFjwukAseFCgscl1EWTAVtERcW',
  'NC6jLKAK2CIyLGBcRllQFaxFbFiwuIyywCpUizZZ6A5BLRplwVWYFm2y8B1CWjTKIqgQLdpkMToEtGiURVGNt2iTxelwuEVnzV+t4eWy',
  'yWJ1ONiisyys1uByOcvEag0tl7NsrNbQcjnr72cxN35g57+zstSwXaksoWvLTNaWZa7D+3Abv2WR6/i2FcbKWeLacs75e4to1sGelObs',
  'JhhrywLXn3syirWcstqLLN2CYuXH6UQdRExhNTRZ+T2HVUlse/4xi/XtQYXIDn6aQazUwDp6XOvvVgwrV2arXL/OYWVn1VemfZylzlrA',
  'q/V9ud6DVT4/z68yWNs4KztrMisDWFcqC/UqOkuZtSFY2VnO+mtYENXTq/hKrERnrV6is8yyMMfW08HlLAOsj6LgYwpr3/ef+34mO7tK',
  'Zv3a9/9SSvu+H6HOr5JZ+76nlNJJXudXuayvOE7iKlzlsvaHB38chXV29R1Zv76WJ6WfBy2WrnqJuqzAfhNXOAtybgFYGXTKX7lpIf4T',
  'KazxLwgWa/B767VYC5kVnOUsW6zAZa3OemPWQmWF12UljOr6wqzAZK1vzbrdbrfPt2YtRFYIKgdXEyu9Miugj3nIajmL9yr2nabBWVqs',
  'wGKtKNZmZ+MfW8SywouzkqGNx+48bOPNspDLhevQKiswWCuQlQyt1mOLOFZ4WRZuuZAddrA+VVkNLf6+3UepwzrrEVWAgVmhwrp9m88y',
  'awWztjbViSuBWUuJdbu1usAdFpfr9zHrxl+t4nIJWGsI9BZPVActwsMqsdrTwrMKLTaz8B0+xCV/E6/4sIpHROP5QOjw3uImPuUJHRZb',
  'bPtPZHRYOehbviAoHZZbbPneonRYabHjezkE/bjUw7rHNcYKLFYy1eFYi7QOx1rkhXWPS97hymDJ42KGJY+LGpY8Lm5Y0rjIYd3jkrFC',
  'IMe1STpceSxJXPywRHHxw5LEpRGWIC6NsPrPrqQSVu/ZddUJq7dGNVXX1l+VKuyMSy+sHpeqqrlGzQrbXdqqtlPiqlth63pNUDW4pqj+',
  'rFeVFcIMV40VwhRXhRVmTI21hjDJVWLNUoWwFFhh4vxzygrOcpaznOUsZznLWc5ylrOc9Rqsy7+nrDgNFWMssGL8MSWpWGPFOAdVZWnD',
  'vh5aZ6k2GdtZeq5L7GFpFfmgamNF1QLbWQpFRgmL7ooyFtkVpSyqK8pZRFccYdFccYxFcl1GWVFL1cmKSqpeVtRYLMH8MKlCuy4oVrSp',
  'grqAKmCNyLCAcUFVsLhitOi6oFnRZFiYuPBhQeIiqABxxWjRdeGwosmwRuNihTUYF001FBcvrKG4iKqBuJhhDcRFVcnjssnidihukawS',
  'xsUOSxgXXSWKix+WKC4FlSQumyyNDgUtqqj647LJ0umwu0UlVWdcWmF1xmWUpabqalEvrK64jLIUVT0t2mRpdtjRolGWqqq5Rd2wmuMy',
  'ylJWtbZok6XdYWOLRlnqqrYWbbL0O2xq0Vk9rAmqluWyyZrRYUOLzuphTVHVl8tZHaw5q1VdLmf1sCapasvlrA7WrNWqLJezXoA1TVXe',
  'eWc5i8Sa9yI+vYr/AwFH+RNFSaryAAAAAElFTkSuQmCC',
].join('');

const speech = [
  'SUQzBAAAAAAAI1RTU0UAAAAPAAADTGF2ZjU5LjI3LjEwMAAAAAAAAAAAAAAA//NYwAAAAAAAAAAAAEluZm8AAAAPAAAAQAAACbQAFhkZ',
  'HSEhJSgoLDAwMzM3Ozs/QkJGSkpNUVFVVVlcXGBkZGdra29vc3Z2en5+gYWFiYyMkJCUmJibn5+jpqaqqq6ysrW5ub3AwMTIyMzMz9PT',
  '19ra3uLi5ubp7e3x9PT4/Pz/AAAAAExhdmYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAm0VpVlTgAAAAAAAAAAAAAA//MYxAAD6AWs',
  'AABEAOj/mv/xQNgmz//60OipALr5BRxEblHV//MYxAcFIAIIAADMAP/LhhbyfUcy7Mv6a9yKpDola6KLHQYu//MYxAkFuAIdaUAAAEdG',
  '17KPP7X1767dt3w7+vuP8RA/4bNE//MYxAkHUXZYAYU4AL/wnMt/6GOx//5NGM//9sg5hD/mlf6l//MYxAIFMALIAYEQALy73n6jiDb/',
  'AL/Lanf3rU7R/k38586K//MYxAQGKQrQAcUQASYBj0Uc6oqLWSXdk//2/JdUhAARUv1F//MYxAIEmRLkADgE7M1dRIJ7YVGjcovSgMA/',
  '//01UIT2KQwJ//MYxAYF8GbMwABSApNn0Fg0I9r9UUs/Dv/+QZDQdf8Bjj0Z//MYxAUGAPa4AGgO5NSDJj6AJgnaFN+n0/QLDUuTfx0M',
  'qMRx//MYxAQFQN7Y4AKKMDOP9hDAf1N6v/b+JhznzAYHypHmcwNd//MYxAYESL7wAAHEMHnEf5/0YO3////0KgJbLbZhWXi77ZwH//MY',
  'xAsESG8+QABKKhjsHjuQAtUBQiAAUBmcmocCO0VNxB7B//MYxBAFAGb6QAFGKBy4EBoDa67Swz74c3yAKKtfEA1hHtUP//MYxBMEYHtO',
  'QACKKnwcF0qEzbdiAUdLwV+Y7/phKn9AFafA//MYxBgEiFr1YAFMLcl42DyR2hAzx4N/qy7YYQOn0BQETxbh//MYxBwEOFLsoAFMC/nO',
  'lOIQmoWV4OncWjrwaDa+FlJb9QIy//MYxCIEkFLpYAFQAPUpVTUqynVXo2DhMJIlYyWJlCkUxUK///MYxCYEyIrUAADMBdYwcn5BRtXA',
  'jdCl4cEDSgwHf/////bV//MYxCkEwG6oAAGKFagZKwIBNtQQA6S+a8kLPrGEW7qkXS71//MYxC0FSH6gKABEBAETrComkksKg01Mokc7',
  'HAyvJpEmyFVe//MYxC4FeIaIAAFSBUPeDos7QFhOdoUlXXYT3lO1bwp78WAk//MYxC8FqIJwABJMSb6wgF2NsN3CAJMABhgbmFUWRzfR',
  'YTDa//MYxC8EYIJMAAmGbUZn/Dkewl1u1Q7K62S56IAWlw4e3fjv//MYxDQEuHZEACmETf/+9lQO2YZrPtW+LArt1/+yyu1b2Wpq//MY',
  'xDgEiHI8ABBMBQz/22VKMdBbBExKHBWj7t3/3/+ua1BH//MYxDwEeAYoADhEAJxPgf8cYsgbG/wMw3GAER/45yUMS8OT//MYxEEEwAYo',
  'ADhEAP/DmHXf/TGp6Vnmxlz5rhRs+TH1GRII//MYxEUE8GIoAUUIAGwP4HhgCCkAye/Kuouj5CErmN7t4XZF//MYxEgIgRZQAYJoABJZ',
  'ZEmnQP/kJRjKOaBCEptfkiRmupQL//MYxD0JaRLcAYc4AF+Ei/EW+JP8RTKOyAfqLj1GGoINTQNP//MYxC4JeOsWWcgoAuoVL1InHBEd',
  '4UBFt///VvQETzBkJ4MA//MYxB8IwUbcyAHEOn0u/5Aa656baQDpUTAVzmwQenGgzKHq//MYxBMJSQ8mWDrFQqCjepwzvuQ/eSK2cGIp',
  'N8UNyFVULs5g//MYxAQFeOrYwAGEBF1Pxb/Noarfs/yK/qv1ATtYKh7/TL4O//MYxAUEcLbIwU0oAOayCElDf6P6/2+gSF75voIqgbKA',
  'JDcw//MYxAoHccbMAYsQAdRbW9/7p19P///////9//Jv8OeW/Ihe//MYxAME6F7cAcoQAGz3wNl/jMv//9vB/L8V539VP/AIr8IP//MY',
  'xAYEiLr0UAAEAPBhP2f7H+QONWAjtCpxuVbAkSztQl/T//MYxAoE4LbgAAGOIPQl+KnZD///+RqExZG+KIAb6zPywox+//MYxA0EaGbY',
  'AAHSJP+oB6iViltOFCeuwWQ4D//4g1iP/7WH//MYxBIEMGbsAAHMMG+gQV9RMFb0ILf/9mTOP//1KkE98g/0//MYxBgEiIb0AACKLArf',
  'UV2f/fE4hCaXgKoIK+QU/lAnfgwI//MYxBwEUH7wAAAEAFYWd/8MBdyC4CoSSBHIg1Axr0ABT4WP//MYxCEE4HroAAAEAEmG8Bf/X+o6',
  'GFlphB34gqzgUSdi53+S//MYxCQFADr+MAFEBMTcRa64CQTLbAvnTCLi4DAiibP9VKrc//MYxCcE8GbUwAFGEH8O/kak4Dj+gcX0fyfK',
  '/IIHoIb6+Cf2//MYxCoEcEq4AAHKCH8C3gwz8KH+rf+novkFsBVqXPIESV9y//MYxC8FINrgAACKCE4PtdYPh8h2wFAFF1/zR3Hv/Y44',
  'eJDv//MYxDEEqO7oAUIoAP/Nb///qNU8dxW96RcP1Gx5re8eJC75//MYxDUJMYqgAYs4AFBYuQ9d6UtAYfa6pz59B/Sb1BE0f0hP//MY',
  'xCcI+Bq8AYIQAAHF/AQc7I6G1EARyEYF4bbKAsFjd9LH//MYxBoJGQbQycU4APj5PmCIJD8qXdM1JN0P5Ev4rzaDHUTE//MYxAwHYNbl',
  'gDsPIOjQhD/BfpUtduMnYHJXCozh5fhXqM3j//MYxAUGKObgACgOoCFDuoGEuKzNorI9QPEkxojjj6j6Pj8A//MYxAME+Hb5kABKBMDG',
  'vFfCDdQO1sVw16z0q6jR+O8YvgzX//MYxAYEcPrYACgFBI0Q+37+HboJ2fxNpXyYpOJi+8HK0isi//MYxAsEsF7cqACOAOhP/9Gzf/B1',
  's12N6kzcFOJiItp++tx6//MYxA8EiF7AAABGBFXf9arC+o/iB+gH8aVuZ/+v7cYeib/y//MYxBME2OKUAACKEJX495V+oOqahN1LJ/5F',
  '0IFbb/NK5CFf//MYxBYEmPqMADgFBNQoC2GAhVH/5JVQNHoK/wWqbxvq3hNg//MYxBoE0GKECABEBCPuMAz/8vlfw6XqLa5vEPhlMCva',
  'EA74//MYxB0EsOpMACgKoMf6fI/IPu/kahulqVE6jANyASUmGf/n//MYxCEEkPpEACgFBGAn/8nVDPWRup/OXwbfZAOr/0/15RUL//MY',
  'xCUEiFpAABFEZMAJphsztQnFvWzx3yVFXR7X+vIqEAAj',
].join('');

export const example = {
  prompt: 'She smiles and nods while she speaks.',
  mode: 'std',
  external_id: 'order-1042',
  sound_file: speech,
  image: portrait,
};

/** What comes of it. */
export const avatarExample = {
  id: 'av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a',
  caller: 'shop',
  status: 'pending',
  mode: 'std',
  prompt: 'She smiles and nods while she speaks.',
  external_id: 'order-1042',
  metadata: {},
  image: { source: 'inline', format: 'png', width: 300, height: 400, bytes: 1515 },
  audio: { source: 'inline', format: 'mp3', duration_seconds: 2.271, bytes: 2529 },
  video: null,
  error: null,
  cost: { currency: 'USD', estimate: 0.1017, reserved: 0.1017, settled: null },
  queue: null,
  callback: null,
  task_id: 'task-avatar001',
  created_at: '2026-11-22T10:00:00.000Z',
  submitted_at: '2026-11-22T10:00:01.250Z',
  completed_at: null,
  expires_at: null,
  links: {
    self: '/avatars/av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a',
    events: '/avatars/av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a/events',
    video: '/avatars/av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a/video',
  },
};

/** What a check of it says. */
export const checkExample = {
  mode: avatarExample.mode,
  image: avatarExample.image,
  audio: avatarExample.audio,
  cost: avatarExample.cost,
  warnings: [
    {
      pointer: '/sound_file',
      detail:
        'has a "data" chunk that claims 4294967295 bytes, there are 297984; it is put right before it is sent',
    },
  ],
};
