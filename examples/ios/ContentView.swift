// Samples of a kerasgan generator on an iPhone: tap for a new one. Not compiled here; see README.md.

import SwiftUI

struct ContentView: View {
    @State private var picture: CGImage?
    @State private var problem: String?
    private static let generator = Result { try Generator("dcgan_celeba") }

    var body: some View {
        Group {
            if let picture {
                Image(decorative: picture, scale: 1)
                    .interpolation(.none)  // pixels, not a blur
                    .resizable()
                    .scaledToFit()
            } else {
                Text(problem ?? "")
            }
        }
        .frame(maxWidth: .infinity, maxHeight: .infinity)
        .contentShape(Rectangle())
        .onTapGesture(perform: showNew)
        .onAppear(perform: showNew)
    }

    private func showNew() {
        do {
            let generator = try Self.generator.get()
            picture = try generator.generate(generator.drawLatents(), label: generator.labels?.randomElement())
        } catch {
            problem = "\(error)"
        }
    }
}
